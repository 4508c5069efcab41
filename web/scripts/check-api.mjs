// Checks ../api/openapi.yaml against the OpenAPI 3.1 schema, and both contracts for references that lead nowhere.
import { readFileSync } from 'node:fs'
import { Validator } from '@seriousme/openapi-schema-validator'
import { parse } from 'yaml'

const load = (name) => parse(readFileSync(new URL(`../../api/${name}`, import.meta.url), 'utf8'), { uniqueKeys: true })

function brokenReferences(document) {
  const broken = []
  const resolve = (ref) =>
    ref.slice(2).split('/').reduce((node, key) => node?.[key.replaceAll('~1', '/').replaceAll('~0', '~')], document)
  const visit = (node) => {
    if (node === null || typeof node !== 'object') return
    if (typeof node.$ref === 'string' && resolve(node.$ref) === undefined) broken.push(node.$ref)
    Object.values(node).forEach(visit)
  }
  visit(document)
  return broken
}

let failed = false
for (const name of ['openapi.yaml', 'events.yaml']) {
  const problems = brokenReferences(load(name)).map((ref) => `no such target: ${ref}`)
  if (name === 'openapi.yaml') {
    const result = await new Validator().validate(load(name))
    if (!result.valid) problems.push(JSON.stringify(result.errors, null, 2))
  }
  for (const problem of problems) console.error(`api/${name}: ${problem}`)
  failed ||= problems.length > 0
}
process.exit(failed ? 1 : 0)
