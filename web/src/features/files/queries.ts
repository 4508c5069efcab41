import { infiniteQueryOptions, useMutation, useQueryClient, type InfiniteData, type QueryClient } from '@tanstack/react-query'
import { api, body } from '@/api/client'
import { Problem } from '@/api/problem'
import type { Item, Listing } from '@/api/types'

export const sorts = ['name', '-name', 'modified_at', '-modified_at', 'size', '-size'] as const
export type Sort = (typeof sorts)[number]

export const fileKeys = {
  all: ['files'] as const,
  listing: (parentId: string | undefined, sort: Sort) => ['files', 'listing', parentId ?? 'root', sort] as const,
  trash: ['trash'] as const,
}

const pageSize = 200

export const listingOptions = (parentId: string | undefined, sort: Sort) =>
  infiniteQueryOptions({
    queryKey: fileKeys.listing(parentId, sort),
    queryFn: ({ pageParam, signal }) =>
      body(api.GET('/api/files', { params: { query: { parent_id: parentId, sort, limit: pageSize, cursor: pageParam } }, signal })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  })

export const trashOptions = infiniteQueryOptions({
  queryKey: fileKeys.trash,
  queryFn: ({ pageParam, signal }) => body(api.GET('/api/trash', { params: { query: { limit: pageSize, cursor: pageParam } }, signal })),
  initialPageParam: undefined as string | undefined,
  getNextPageParam: (page) => page.next_cursor ?? undefined,
})

// A change touches lists, the trash and the storage use; what of them is on the page is asked for again.
function useChange<Input, Output>(run: (input: Input) => Promise<Output>, before?: (queries: QueryClient, input: Input) => void) {
  const queries = useQueryClient()
  return useMutation<Output, Problem, Input>({
    mutationFn: run,
    onMutate: async (input) => {
      if (!before) return
      await queries.cancelQueries({ queryKey: fileKeys.all })
      before(queries, input)
    },
    onSettled: () => void queries.invalidateQueries(),
  })
}

export const useCreateFolder = () =>
  useChange(({ parentId, filename }: { parentId: string; filename: string }) =>
    body(api.POST('/api/files/folders', { body: { parent_id: parentId, filename } })),
  )

export const useRename = () =>
  useChange(({ item, filename }: { item: Item; filename: string }) =>
    body(api.PATCH('/api/files/{id}', { params: { path: { id: item.id } }, body: { base_seq: item.seq, filename } })),
  )

// Takes the row out at once; when the server refuses, the refetch brings it back.
export const useTrash = () =>
  useChange(
    (item: Item) => body(api.DELETE('/api/files/{id}', { params: { path: { id: item.id }, query: { base_seq: item.seq } } })),
    (queries, item) => {
      queries.setQueriesData<InfiniteData<Listing>>({ queryKey: fileKeys.all }, (listing) => listing && without(listing, item.id))
    },
  )

// A name that was taken in the meantime does not stop a restore: the item comes back beside its holder.
export const useRestore = () =>
  useChange((item: Item) =>
    body(api.POST('/api/trash/{id}/restore', { params: { path: { id: item.id } }, body: { base_seq: item.seq, on_conflict: 'rename' } })),
  )

export const useDeleteForever = () =>
  useChange(async (item: Item) => {
    await api.DELETE('/api/files/{id}', { params: { path: { id: item.id }, query: { permanent: true, base_seq: item.seq } } })
  })

export const useEmptyTrash = () => useChange(() => body(api.DELETE('/api/trash')))

function without(listing: InfiniteData<Listing>, id: string): InfiniteData<Listing> {
  return { ...listing, pages: listing.pages.map((page) => ({ ...page, items: page.items.filter((item) => item.id !== id) })) }
}

// A link cannot carry the access token, so the browser is sent to an address that works for a minute.
export async function download(item: Item): Promise<void> {
  const { url } = await body(api.POST('/api/files/{id}/download-url', { params: { path: { id: item.id } } }))
  const address = new URL(url, location.origin)
  if (address.origin !== location.origin) throw new Problem({ status: 0, code: 'internal', detail: 'The download address is not on this server.' })
  const link = document.createElement('a')
  link.href = address.href
  link.download = item.filename
  document.body.append(link)
  link.click()
  link.remove()
}
