import { Menu as Base } from '@base-ui/react/menu'
import { Check } from 'lucide-react'
import type { ReactElement, ReactNode } from 'react'
import { cx } from '@/lib/class-names'

const row = 'flex h-9 items-center gap-3 rounded-md px-2.5 text-sm outline-none select-none data-[highlighted]:bg-hover'

// `trigger` is the button that opens the menu.
export function Menu({ trigger, align = 'end', children }: { trigger: ReactElement; align?: 'start' | 'end'; children: ReactNode }) {
  return (
    <Base.Root modal={false}>
      <Base.Trigger render={trigger} />
      <Base.Portal>
        <Base.Positioner align={align} sideOffset={6} className="z-40 outline-none">
          <Base.Popup className="popup min-w-52 origin-(--transform-origin) rounded-xl p-1.5 outline-none">{children}</Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  )
}

export function MenuItem({ icon, danger = false, onSelect, children }: { icon?: ReactNode; danger?: boolean; onSelect: () => void; children: ReactNode }) {
  return (
    <Base.Item className={cx(row, danger && 'text-danger')} onClick={onSelect}>
      {icon !== undefined && <span className={danger ? undefined : 'text-soft'}>{icon}</span>}
      {children}
    </Base.Item>
  )
}

export function MenuLine() {
  return <Base.Separator className="my-1.5 h-px bg-line" />
}

interface MenuChoiceProps<T extends string> {
  label: string
  value: T
  options: { value: T; label: string; icon?: ReactNode }[]
  onChange: (value: T) => void
}

export function MenuChoice<T extends string>({ label, value, options, onChange }: MenuChoiceProps<T>) {
  return (
    <Base.Group>
      <Base.GroupLabel className="px-2.5 pt-1.5 pb-1 text-xs font-medium text-soft">{label}</Base.GroupLabel>
      <Base.RadioGroup value={value} onValueChange={(next: T) => onChange(next)}>
        {options.map((option) => (
          <Base.RadioItem key={option.value} value={option.value} className={row}>
            {option.icon !== undefined && <span className="text-soft">{option.icon}</span>}
            <span className="grow">{option.label}</span>
            <Base.RadioItemIndicator>
              <Check aria-hidden="true" size={16} className="text-accent" />
            </Base.RadioItemIndicator>
          </Base.RadioItem>
        ))}
      </Base.RadioGroup>
    </Base.Group>
  )
}
