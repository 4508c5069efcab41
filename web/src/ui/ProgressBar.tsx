import { Progress } from '@base-ui/react/progress'
import { cx } from '@/lib/class-names'

const tones = { accent: 'bg-accent', danger: 'bg-danger', success: 'bg-success' }

// `value` from 0 to 1; null when nobody knows.
export function ProgressBar({ label, value, tone = 'accent' }: { label: string; value: number | null; tone?: keyof typeof tones }) {
  return (
    <Progress.Root aria-label={label} value={value === null ? null : Math.round(value * 100)}>
      <Progress.Track className="h-1.5 overflow-hidden rounded-full bg-line">
        <Progress.Indicator className={cx('h-full rounded-full transition-[width] duration-200', tones[tone], value === null && 'w-1/3 animate-pulse')} />
      </Progress.Track>
    </Progress.Root>
  )
}
