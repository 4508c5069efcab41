import { TrashView } from '@/features/files/components/TrashView'

export function TrashRoute() {
  return <TrashView />
}
