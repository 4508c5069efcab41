export function Logo({ size = 32 }: { size?: number }) {
  return (
    <svg viewBox="0 0 32 32" width={size} height={size} aria-hidden="true">
      <rect width="32" height="32" rx="8" fill="#2557d6" />
      <path d="M10.5 23a5 5 0 0 1-.9-9.9 7 7 0 0 1 13.4 1.6A4.2 4.2 0 0 1 22.3 23z" fill="#fff" />
      <path d="M16 20.5v-5.6m-2.4 2.3 2.4-2.4 2.4 2.4" fill="none" stroke="#2557d6" strokeWidth="1.8" strokeLinecap="round" strokeLinejoin="round" />
    </svg>
  )
}
