import type { Item, ProblemBody } from './types'

// What went wrong with a request. `code` is stable; 'network' means that no answer came.
export class Problem extends Error {
  readonly status: number
  readonly code: string
  readonly field: string | undefined
  readonly item: Item | undefined
  readonly requestId: string | undefined
  readonly retryAfter: number | undefined

  constructor(body: Partial<ProblemBody>, retryAfter?: number) {
    super(body.detail ?? body.title ?? body.code ?? 'Something went wrong')
    this.name = 'Problem'
    this.status = body.status ?? 0
    this.code = body.code ?? 'unknown'
    this.field = body.field
    this.item = body.item ?? undefined
    this.requestId = body.request_id
    this.retryAfter = retryAfter
  }

  static network(cause?: unknown): Problem {
    const problem = new Problem({ status: 0, code: 'network', detail: 'The server did not answer.' })
    problem.cause = cause
    return problem
  }

  static from(error: unknown): Problem {
    return error instanceof Problem ? error : Problem.network(error)
  }
}

export function parseProblem(status: number, text: string, retryAfter: string | null): Problem {
  let body: Partial<ProblemBody> = {}
  try {
    const parsed: unknown = JSON.parse(text)
    if (parsed !== null && typeof parsed === 'object') body = parsed
  } catch {
    // A proxy's HTML page: only the status means anything.
  }
  const seconds = retryAfter === null ? Number.NaN : Number.parseInt(retryAfter, 10)
  return new Problem({ ...body, status }, Number.isNaN(seconds) ? undefined : seconds)
}

export async function problemOf(response: Response): Promise<Problem> {
  return parseProblem(response.status, await response.text(), response.headers.get('Retry-After'))
}
