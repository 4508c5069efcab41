import { closeSync, ftruncateSync, openSync, readFileSync, statSync, writeFileSync, writeSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { Api } from './support/api.ts'
import { noise, sha256 } from './support/content.ts'
import { Device } from './support/device.ts'
import { CountingProxy } from './support/proxy.ts'
import { Server } from './support/server.ts'

const mebibyte = 1 << 20
const size = 256 * mebibyte

test('1 MiB changed in the middle of a 256 MiB file and 100 bytes inserted at its start cost under 2 % of it, up and down', async () => {
  const server = await Server.start()
  const api = await Api.register(server)
  const [proxyA, proxyB] = await Promise.all([CountingProxy.start(server.port), CountingProxy.start(server.port)])
  const a = await Device.login(proxyA.url, api.email, 'a')
  const b = await Device.login(proxyB.url, api.email, 'b')
  const [fileA, fileB] = [path.join(a.folder, 'large.bin'), path.join(b.folder, 'large.bin')]

  const content = Buffer.concat(Array.from({ length: 16 }, (_, i) => noise(16 * mebibyte, `large${i}`)))
  writeFileSync(fileA, content)
  let before = performance.now()
  await a.syncOnce()
  const upTook = performance.now() - before
  before = performance.now()
  await b.syncOnce()
  const downTook = performance.now() - before
  const whole = { up: proxyA.take().up, down: proxyB.take().down }
  console.log(`delta: the whole file: ${whole.up} bytes up in ${(upTook / 1000).toFixed(1)} s, ${whole.down} down in ${(downTook / 1000).toFixed(1)} s`)
  expect(whole.up).toBeGreaterThan(size)
  expect(whole.up).toBeLessThan(size * 1.02)
  expect(whole.down).toBeLessThan(size * 1.02)

  noise(mebibyte, 'changed').copy(content, size / 2)
  const file = openSync(fileA, 'r+')
  writeSync(file, Buffer.concat([noise(100, 'inserted'), content]))
  ftruncateSync(file, size + 100)
  closeSync(file)
  const wanted = sha256(readFileSync(fileA))
  before = performance.now()
  await a.syncOnce()
  const up = { ...proxyA.take(), took: performance.now() - before }
  before = performance.now()
  await b.syncOnce()
  const down = { ...proxyB.take(), took: performance.now() - before }
  const share = (bytes: number) => `${bytes} bytes, ${((100 * bytes) / size).toFixed(2)} %`
  console.log(`delta: changed: up ${share(up.up + up.down)} in ${(up.took / 1000).toFixed(1)} s, down ${share(down.up + down.down)} in ${(down.took / 1000).toFixed(1)} s`)
  expect(sha256(readFileSync(fileB))).toBe(wanted)
  expect(statSync(fileB).size).toBe(size + 100)
  expect(up.up + up.down).toBeLessThan(size * 0.02)
  expect(down.up + down.down).toBeLessThan(size * 0.02)

  // A rename, and a copy of what the server has, cost no content at all.
  writeFileSync(path.join(a.folder, 'copy.bin'), readFileSync(fileA))
  await a.syncOnce()
  const copied = proxyA.take()
  await b.syncOnce()
  const received = proxyB.take()
  console.log(`delta: a copy of it: ${copied.up + copied.down} bytes up, ${received.up + received.down} down`)
  expect(copied.up + copied.down).toBeLessThan(200_000)
  expect(sha256(readFileSync(path.join(b.folder, 'copy.bin')))).toBe(wanted)
}, 120_000)
