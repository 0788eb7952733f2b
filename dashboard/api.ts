// The Kubernetes API as the page uses it: list and watch over fetch.

/** What the page reads of any object. */
export interface KubernetesObject {
  readonly kind?: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly deletionTimestamp?: string;
  };
}

interface WatchEvent {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  readonly object: KubernetesObject;
}

interface List {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  readonly items: readonly KubernetesObject[];
}

/** Fails with the message of the server's Status. */
async function request(path: string, signal: AbortSignal): Promise<Response> {
  const response = await fetch(path, { signal, headers: { accept: "application/json" } });
  if (response.ok) return response;
  const text = await response.text();
  let message = text;
  try {
    message = (JSON.parse(text) as { message?: string }).message ?? text;
  } catch {
    // Not a Status: the text of the local server.
  }
  throw new Error(message || `${path}: status ${response.status}`);
}

async function* lines(response: Response): AsyncGenerator<string> {
  let rest = "";
  const decoder = new TextDecoder();
  const reader = response.body!.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const parts = (rest + decoder.decode(value, { stream: true })).split("\n");
    rest = parts.pop()!;
    yield* parts;
  }
}

/** The objects of a collection by uid, and why they may be out of date. */
export interface CollectionState {
  readonly objects: ReadonlyMap<string, KubernetesObject>;
  readonly error?: string;
}

async function list(path: string, signal: AbortSignal): Promise<[Map<string, KubernetesObject>, string]> {
  const objects = new Map<string, KubernetesObject>();
  let next: string | undefined = "";
  let revision = "";
  while (next !== undefined) {
    const url: string = `${path}?limit=500${next && `&continue=${encodeURIComponent(next)}`}`;
    const page = (await (await request(url, signal)).json()) as List;
    for (const item of page.items) objects.set(item.metadata.uid, item);
    revision = page.metadata.resourceVersion;
    next = page.metadata.continue || undefined;
  }
  return [objects, revision];
}

/** The events after a revision, over as many requests as it takes. Throws when the watch expires (410). */
async function* watch(path: string, from: string, signal: AbortSignal): AsyncGenerator<WatchEvent> {
  let revision = from;
  for (;;) {
    const query = `watch=true&allowWatchBookmarks=true&resourceVersion=${revision}`;
    for await (const line of lines(await request(`${path}?${query}`, signal))) {
      const event = JSON.parse(line) as WatchEvent;
      if (event.type === "ERROR") throw new Error("the watch expired");
      revision = event.object.metadata.resourceVersion;
      if (event.type !== "BOOKMARK") yield event;
    }
  }
}

const pause = (ms: number): Promise<unknown> => new Promise((done) => setTimeout(done, ms));

/** Calls `work` before the next frame, once for all calls until then. */
function oncePerFrame(work: () => void): () => void {
  let isDue = false;
  return () => {
    if (isDue) return;
    isDue = true;
    requestAnimationFrame(() => {
      isDue = false;
      work();
    });
  };
}

/**
 * Follows a collection until the signal aborts: lists, watches from that revision, and lists again when the watch
 * expires or the connection fails. `changed` gets a new map at most once a frame, whatever the rate of events.
 */
export async function follow(
  path: string,
  changed: (state: CollectionState) => void,
  signal: AbortSignal,
): Promise<void> {
  let objects = new Map<string, KubernetesObject>();
  const show = oncePerFrame(() => changed({ objects: new Map(objects) }));
  while (!signal.aborted) {
    try {
      const [listed, revision] = await list(path, signal);
      objects = listed;
      show();
      for await (const { type, object } of watch(path, revision, signal)) {
        if (type === "DELETED") objects.delete(object.metadata.uid);
        else objects.set(object.metadata.uid, object);
        show();
      }
    } catch (error) {
      if (signal.aborted) return;
      changed({ objects: new Map(objects), error: (error as Error).message });
      await pause(2000);
    }
  }
}
