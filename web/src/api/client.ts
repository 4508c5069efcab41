import createClient from 'openapi-fetch'
import { Problem, problemOf } from './problem'
import type { paths } from './schema.gen'
import { session } from './session'

async function attempt(request: Request, token: string): Promise<Response> {
  request.headers.set('Authorization', `Bearer ${token}`)
  try {
    return await fetch(request)
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error
    throw Problem.network(error)
  }
}

// Adds the access token, refreshes it once when it is refused, and turns every other failure into a Problem.
async function authorizedFetch(request: Request): Promise<Response> {
  const again = request.clone()
  const token = await session.token()
  let response = await attempt(request, token)
  if (response.status === 401) response = await attempt(again, await session.replace(token))
  if (!response.ok && response.status !== 304) throw await problemOf(response)
  return response
}

export const api = createClient<paths>({ baseUrl: location.origin, fetch: authorizedFetch })

// The body of a successful answer; the client throws for all others.
export async function body<T>(answer: Promise<{ data?: T }>): Promise<T> {
  const { data } = await answer
  if (data === undefined) throw new Problem({ status: 0, code: 'internal', detail: 'The answer had no body.' })
  return data
}
