import { createHash, randomBytes } from 'node:crypto'

// Ids, chunk names, manifests and chunk streams as docs/sync-protocol.md has them. How content is cut into chunks is the sender's affair; here the pieces
// are of equal size.

export interface Item {
  id: string
  parent_id: string | null
  kind: 'file' | 'folder' | 'symlink'
  filename: string
  size: number
  version: number
  content_id: string | null
  sha256: string | null
  executable: boolean
  modified_at: number
  deleted_at: number | null
  seq: number
  tree_seq: number | null
  target: string | null
  purged: boolean
}

export function sha256(bytes: Buffer | string): string {
  return createHash('sha256').update(bytes).digest('hex')
}

export function base64url(bytes: Buffer): string {
  return bytes.toString('base64url')
}

export function uuid7(): Buffer {
  const bytes = randomBytes(16)
  bytes.writeUIntBE(Date.now(), 0, 6)
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x70, 6)
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8)
  return bytes
}

export function newId(space: string): string {
  return base64url(Buffer.concat([Buffer.from(space, 'base64url'), uuid7()]))
}

export function chunkBytesName(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from([1]), createHash('sha256').update(bytes).digest()])
}

export function frame(name: Buffer, bytes: Buffer, size = bytes.length): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32LE(size)
  return Buffer.concat([name, length, bytes])
}

export const endFrame = Buffer.alloc(37)

export interface Chunk {
  name: Buffer
  bytes: Buffer
}

export function chunkStream(chunks: Chunk[]): Buffer {
  return Buffer.concat([...chunks.map((chunk) => frame(chunk.name, chunk.bytes)), endFrame])
}

// The frames of an answer to chunks/fetch; null for a chunk that is not there.
export function readChunkStream(stream: Buffer): (Buffer | null)[] {
  const frames: (Buffer | null)[] = []
  for (let at = 0; ; ) {
    const name = stream.subarray(at, at + 33)
    const size = stream.readUInt32LE(at + 33)
    at += 37
    if (name.every((byte) => byte === 0) && size === 0) {
      if (at !== stream.length) throw new Error('Bytes follow the end frame.')
      return frames
    }
    if (size === 0xffffffff) {
      frames.push(null)
      continue
    }
    const bytes = stream.subarray(at, at + size)
    if (!chunkBytesName(bytes).equals(name)) throw new Error('A chunk does not match its name.')
    frames.push(bytes)
    at += size
  }
}

interface Entry {
  name: Buffer
  size: number
}

function encode(entries: Entry[]): Buffer {
  return Buffer.concat(
    entries.map((entry) => {
      const size = Buffer.alloc(8)
      size.writeBigUInt64LE(BigInt(entry.size))
      return Buffer.concat([entry.name, size])
    }),
  )
}

export class ChunkedContent {
  readonly size: number
  readonly sha256: string
  readonly contentId: string
  readonly level: number
  readonly entries: Entry[]
  readonly chunks: Chunk[] = [] // content first, then manifest nodes

  constructor(content: Buffer, chunkSize = 1 << 20) {
    this.size = content.length
    this.sha256 = sha256(content)
    let entries: Entry[] = []
    for (let at = 0; at < content.length; at += chunkSize) {
      const bytes = content.subarray(at, at + chunkSize)
      const name = chunkBytesName(bytes)
      this.chunks.push({ name, bytes })
      entries.push({ name, size: bytes.length })
    }
    this.contentId = sha256(encode(entries))
    let level = 0
    for (; entries.length > 64; ++level) {
      const above: Entry[] = []
      for (let at = 0; at < entries.length; at += 4096) {
        const below = entries.slice(at, at + 4096)
        const bytes = encode(below)
        const name = chunkBytesName(bytes)
        this.chunks.push({ name, bytes })
        above.push({ name, size: below.reduce((sum, entry) => sum + entry.size, 0) })
      }
      entries = above
    }
    this.level = level
    this.entries = entries
  }

  stream(): Buffer {
    return chunkStream(this.chunks)
  }

  get names(): string[] {
    return this.chunks.map((chunk) => base64url(chunk.name))
  }

  operation(id: string, parent: string, filename: string): Record<string, unknown> {
    return {
      op: 'put',
      id,
      parent_id: parent,
      filename,
      base_version: 0,
      size: this.size,
      level: this.level,
      chunks: this.entries.map((entry) => [base64url(entry.name), entry.size]),
      sha256: this.sha256,
      modified_at: Date.now() * 1000,
      executable: false,
    }
  }
}

// Bytes that do not compress, the same for the same seed, made at memory speed.
export function noise(size: number, seed = 'noise'): Buffer {
  const out = Buffer.alloc(size)
  let state = createHash('sha256').update(seed).digest().readUInt32LE(0) | 1
  const words = new Uint32Array(out.buffer, out.byteOffset, size >> 2)
  for (let i = 0; i < words.length; ++i) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    words[i] = state >>> 0
  }
  for (let i = words.length * 4; i < size; ++i) out[i] = i & 0xff
  return out
}

// A seeded generator, so that a failed run can be told apart and repeated.
export class Random {
  #state: number
  constructor(seed: number) {
    this.#state = seed | 1
  }
  next(): number {
    this.#state ^= this.#state << 13
    this.#state ^= this.#state >>> 17
    this.#state ^= this.#state << 5
    return (this.#state >>> 0) / 0x100000000
  }
  below(limit: number): number {
    return Math.floor(this.next() * limit)
  }
}
