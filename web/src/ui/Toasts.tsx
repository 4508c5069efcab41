import { Toast } from '@base-ui/react/toast'
import { X } from 'lucide-react'
import { useMemo, type ReactNode } from 'react'

export interface ToastMessage {
  text: string
  tone?: 'plain' | 'error'
  action?: { label: string; run: () => void }
}

export function useToast() {
  const { add, close } = Toast.useToastManager()
  return useMemo(
    () => ({
      show({ text, tone = 'plain', action }: ToastMessage) {
        const id = add({
          title: text,
          timeout: action ? 10_000 : 6_000,
          priority: tone === 'error' ? 'high' : 'low',
          ...(action && {
            actionProps: {
              children: action.label,
              onClick: () => {
                close(id)
                action.run()
              },
            },
          }),
        })
      },
    }),
    [add, close],
  )
}

// Messages at the lower edge; they wait while the pointer or the focus is on them.
export function ToastProvider({ closeLabel, children }: { closeLabel: string; children: ReactNode }) {
  return (
    <Toast.Provider limit={3}>
      {children}
      <Toast.Portal>
        <Toast.Viewport className="fixed inset-x-4 bottom-4 z-50 flex flex-col items-center gap-2 outline-none sm:right-auto sm:left-6 sm:items-start md:left-66">
          <ToastList closeLabel={closeLabel} />
        </Toast.Viewport>
      </Toast.Portal>
    </Toast.Provider>
  )
}

function ToastList({ closeLabel }: { closeLabel: string }) {
  const { toasts } = Toast.useToastManager()
  return toasts.map((toast) => (
    <Toast.Root
      key={toast.id}
      toast={toast}
      className="flex w-full max-w-md items-center gap-3 rounded-xl bg-inverse py-2 pr-2 pl-4 text-sm text-on-inverse shadow-pop transition-[opacity,transform] duration-150 data-[ending-style]:translate-y-2 data-[ending-style]:opacity-0 data-[starting-style]:translate-y-2 data-[starting-style]:opacity-0 sm:w-auto"
    >
      <Toast.Content className="flex grow items-center gap-3">
        <Toast.Title className="grow py-1.5 break-words" />
        {toast.actionProps && <Toast.Action className="h-8 shrink-0 rounded-md px-2 font-semibold text-inverse-accent hover:underline" />}
        <Toast.Close aria-label={closeLabel} className="inline-flex size-8 shrink-0 items-center justify-center rounded-md opacity-75 hover:opacity-100">
          <X aria-hidden="true" size={16} />
        </Toast.Close>
      </Toast.Content>
    </Toast.Root>
  ))
}
