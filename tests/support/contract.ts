import { readFileSync } from 'node:fs'
import path from 'node:path'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import { parse } from 'yaml'

// Every answer of the server is held against api/openapi.yaml, every frame of its WebSocket against api/events.yaml.

interface Operation {
  operationId: string
  security?: object[]
  responses: Record<string, Described>
}
interface Described {
  $ref?: string
  headers?: Record<string, unknown>
  content?: Record<string, { schema?: object }>
}
type Json = Record<string, unknown>

const api = path.resolve(import.meta.dirname, '../../api')
const openapi = parse(readFileSync(path.join(api, 'openapi.yaml'), 'utf8')) as {
  paths: Record<string, Record<string, Operation>>
  components: { responses: Record<string, Described> }
}
const events = parse(readFileSync(path.join(api, 'events.yaml'), 'utf8')) as Json

const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false })
ajv.addSchema(openapi as unknown as object, 'openapi.yaml')
ajv.addSchema(events as object, 'events.yaml')

export const methods = ['get', 'head', 'post', 'put', 'patch', 'delete'] as const

export interface Route {
  method: string
  template: string
  operation: Operation
}

export const routes: Route[] = Object.entries(openapi.paths).flatMap(([template, item]) =>
  methods.flatMap((method) => {
    const operation = item[method]
    return operation ? [{ method: method.toUpperCase(), template, operation }] : []
  }),
)

// A literal segment beats a parameter: "/api/files/upload" is not "/api/files/{id}".
const matchers = Object.keys(openapi.paths)
  .map((template) => ({
    template,
    literals: template.split('/').filter((part) => !part.startsWith('{')).length,
    pattern: new RegExp(`^${template.replace(/[.]/g, '\\.').replace(/\{[^}]+\}/g, '[^/]+')}$`),
  }))
  .sort((a, b) => b.literals - a.literals)

export function findRoute(method: string, target: string): Route | undefined {
  const pathname = target.split('?')[0] ?? ''
  const template = matchers.find((matcher) => matcher.pattern.test(pathname))?.template
  return routes.find((route) => route.method === method && route.template === template)
}

export interface Answer {
  status: number
  headers: Record<string, string | string[] | undefined>
  body: Buffer
}

const compiled = new Map<string, ValidateFunction>()

function validator(pointer: string): ValidateFunction {
  let found = compiled.get(pointer)
  if (!found) {
    found = ajv.compile({ $ref: pointer })
    compiled.set(pointer, found)
  }
  return found
}

function escape(part: string): string {
  return encodeURIComponent(part.replace(/~/g, '~0').replace(/\//g, '~1'))
}

function check(pointer: string, value: unknown, what: string): void {
  const validate = validator(pointer)
  if (!validate(value)) {
    throw new Error(`${what} is not as the contract says:\n${ajv.errorsText(validate.errors, { separator: '\n' })}\n${JSON.stringify(value).slice(0, 2000)}`)
  }
}

export function checkSchema(name: string, value: unknown): void {
  check(`openapi.yaml#/components/schemas/${name}`, value, name)
}

// What was answered so far in this file: "operation status".
export const seen = new Set<string>()

function describe(route: Route, status: number): { described: Described; pointer: string } | undefined {
  const key = route.operation.responses[String(status)] ? String(status) : status >= 400 ? 'default' : ''
  const direct = route.operation.responses[key]
  if (!direct) return undefined
  const base = `openapi.yaml#/paths/${escape(route.template)}/${route.method.toLowerCase()}/responses/${key}`
  if (!direct.$ref) return { described: direct, pointer: base }
  const name = direct.$ref.replace('#/components/responses/', '')
  const described = openapi.components.responses[name]
  return described && { described, pointer: `openapi.yaml#/components/responses/${name}` }
}

// Throws unless the answer is one that the contract describes. A path that the contract does not have may be answered with a problem only.
export function checkAnswer(method: string, target: string, answer: Answer): void {
  const what = `${method} ${target.slice(0, 200)} -> ${answer.status}`
  const requestId = answer.headers['x-request-id']
  if (typeof requestId !== 'string' || requestId === '') throw new Error(`${what} has no X-Request-Id`)
  const type = String(answer.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? ''
  const isProblem = type === 'application/problem+json'
  if (isProblem && method !== 'HEAD') {
    const problem = JSON.parse(answer.body.toString()) as Json
    checkSchema('Problem', problem)
    if (problem['status'] !== answer.status) throw new Error(`${what}: the problem says status ${String(problem['status'])}`)
    if (problem['request_id'] !== requestId) throw new Error(`${what}: request_id differs from the header`)
    if (String(problem['detail']).length < 10) throw new Error(`${what}: the detail says nothing: ${String(problem['detail'])}`)
    if (answer.status === 429 || answer.status === 503) {
      if (!/^\d+$/.test(String(answer.headers['retry-after']))) throw new Error(`${what} has no Retry-After`)
    }
    if (answer.status === 401 && !answer.headers['www-authenticate']) throw new Error(`${what} has no WWW-Authenticate`)
  } else if (answer.status >= 400 && method !== 'HEAD' && !target.startsWith('/readyz')) {
    throw new Error(`${what} is ${type || 'of no type'}, not application/problem+json: ${answer.body.toString().slice(0, 300)}`)
  }
  const route = findRoute(method, target)
  if (!route) {
    if (answer.status < 400 && method !== 'OPTIONS') throw new Error(`${what}: the contract has no such path`)
    return
  }
  seen.add(`${route.operation.operationId} ${answer.status}`)
  const found = describe(route, answer.status)
  if (!found) throw new Error(`${what}: ${route.operation.operationId} does not describe this status`)
  const { described, pointer } = found
  if (method === 'HEAD' || answer.status === 304 || answer.status === 204) {
    if (answer.body.length > 0) throw new Error(`${what} has a body`)
    return
  }
  const content = described.content
  if (!content) {
    if (answer.body.length > 0) throw new Error(`${what} has a body of ${type}, the contract has none`)
    return
  }
  const key = content[type] ? type : content['*/*'] ? '*/*' : undefined
  if (key === undefined) throw new Error(`${what}: the type ${type} is not one of ${Object.keys(content).join(', ')}`)
  if (type.endsWith('json') && key !== '*/*') check(`${pointer}/content/${escape(key)}/schema`, JSON.parse(answer.body.toString()), what)
}

export function checkFrame(frame: Json): void {
  const names: Record<string, string> = { hello: 'Hello', changes: 'Changes', pong: 'Pong', bye: 'Bye' }
  const name = names[String(frame['type'])]
  if (!name) throw new Error(`The server sent a frame that events.yaml does not have: ${JSON.stringify(frame).slice(0, 500)}`)
  check(`events.yaml#/components/schemas/${name}`, frame, `The frame ${String(frame['type'])}`)
  for (const item of (frame['changes'] as unknown[] | undefined) ?? []) checkSchema('Item', item)
}
