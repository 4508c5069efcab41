import type { components } from './schema.gen'

export type Item = components['schemas']['Item']
export type Listing = components['schemas']['Listing']
export type User = components['schemas']['User']
export type Login = components['schemas']['Login']
export type ProblemBody = components['schemas']['Problem']
