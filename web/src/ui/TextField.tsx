import { forwardRef, useId, type InputHTMLAttributes, type ReactNode } from 'react'
import { cx } from '@/lib/class-names'

interface TextFieldProps extends InputHTMLAttributes<HTMLInputElement> {
  label: string
  hint?: string | undefined
  error?: string | undefined
  trailing?: ReactNode
}

export const TextField = forwardRef<HTMLInputElement, TextFieldProps>(function TextField({ label, hint, error, trailing, className, ...rest }, ref) {
  const id = useId()
  const note = error ?? hint
  return (
    <div className={className}>
      <label htmlFor={id} className="mb-1.5 block text-sm font-medium">
        {label}
      </label>
      <div className="relative">
        <input
          ref={ref}
          id={id}
          aria-invalid={error !== undefined || undefined}
          aria-describedby={note === undefined ? undefined : `${id}-note`}
          className={cx(
            'h-11 w-full rounded-lg border bg-surface px-3 text-base outline-offset-0 placeholder:text-soft',
            error === undefined ? 'border-line-strong' : 'border-danger',
            trailing !== undefined && 'pr-12',
          )}
          {...rest}
        />
        {trailing !== undefined && <div className="absolute inset-y-0 right-1 flex items-center">{trailing}</div>}
      </div>
      {note !== undefined && (
        <p id={`${id}-note`} className={cx('mt-1.5 text-sm', error === undefined ? 'text-soft' : 'text-danger')}>
          {note}
        </p>
      )}
    </div>
  )
})
