import { forwardRef, type ButtonHTMLAttributes } from 'react'
import { cx } from '@/lib/class-names'

interface IconButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  label: string
}

// A button whose only content is an icon; `label` is its name for everyone.
export const IconButton = forwardRef<HTMLButtonElement, IconButtonProps>(function IconButton({ label, className, type = 'button', ...rest }, ref) {
  return (
    <button
      ref={ref}
      type={type}
      aria-label={label}
      title={label}
      className={cx(
        'inline-flex size-9 shrink-0 items-center justify-center rounded-lg text-soft transition-colors hover:bg-hover hover:text-ink data-[popup-open]:bg-hover data-[popup-open]:text-ink',
        className,
      )}
      {...rest}
    />
  )
})
