// JSON documents that every kubelet serves under one path, read concurrently and cached for a few seconds.
import { type Node, nodes } from "../../api/core/nodes.ts";
import type { Instant } from "../../api/meta.ts";
import { objectsOf } from "../registry/listing.ts";
import type { Registry } from "../registry/verbs.ts";
import { type Kubelets, textOf } from "./kubelets.ts";

const keptMs = 3_000;
const answerWithinMs = 4_000;

/** A node, and what its kubelet responded. */
export interface NodeDocument<T> {
  readonly node: Node;
  readonly document: T;
}

/** Reads the documents of all nodes. A kubelet that does not respond in time has none. */
export function nodeDocuments<T>(
  registry: Registry,
  kubelets: Kubelets,
  path: string,
): () => Promise<readonly NodeDocument<T>[]> {
  const { clock, log } = registry.world;
  const cached = new Map<string, { readonly at: Instant; readonly document: Promise<T | undefined> }>();
  const read = async (node: string): Promise<T | undefined> => {
    const responded = new AbortController();
    const late = clock.sleep(answerWithinMs, responded.signal).then(
      () => responded.abort(),
      () => {},
    );
    try {
      const response = await kubelets.get(node, path, `nodes ${node}`, responded.signal);
      return JSON.parse(await textOf(response)) as T;
    } catch (e) {
      log("no figures from a kubelet", { node, path, error: (e as Error).message });
      return undefined;
    } finally {
      responded.abort();
      await late;
    }
  };
  const documentOf = (node: string): Promise<T | undefined> => {
    const known = cached.get(node);
    const now = clock.now();
    if (known && now - known.at < keptMs) return known.document;
    const document = read(node);
    cached.set(node, { at: now, document });
    return document;
  };
  return async () => {
    const all = objectsOf<Node>(await registry.list(nodes));
    const names = new Set(all.map((node) => node.metadata.name));
    for (const name of cached.keys()) if (!names.has(name)) cached.delete(name);
    const documents = await Promise.all(
      all.map(async (node) => ({ node, document: await documentOf(node.metadata.name) })),
    );
    return documents.flatMap(({ node, document }) => (document === undefined ? [] : [{ node, document }]));
  };
}
