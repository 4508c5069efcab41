// What a test has started or made, undone when its file ends, the latest first.
const undo: (() => unknown)[] = []

export function whenDone(action: () => unknown): void {
  undo.push(action)
}

export async function undoAll(): Promise<void> {
  for (let action = undo.pop(); action; action = undo.pop()) await action()
}
