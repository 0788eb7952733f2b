// The few calls of etcd that are used, with their deadlines, over etcd3's raw services.
import { Etcd3, GRPCInvalidArgumentError, GRPCOutOfRangeError, GRPCResourceExhastedError, type IOptions } from "etcd3";
import type { IKeyValue, IWatchResponse } from "etcd3/lib/rpc.js";
import { ApiError } from "../../api/errors.ts";
import { type Revision, revision } from "../../api/meta.ts";
import { onAbort } from "../../machinery/abort.ts";
import type { Clock } from "../../machinery/world.ts";
import { type Transformer, unchanged } from "./encryption/transformer.ts";
import { type EtcdRoot, etcdRoot, prefixEnd, unchangedSince } from "./etcd-root.ts";
import { type Commit, type Condition, isWrite, type Stored, type Write } from "./storage.ts";

/** Endpoints of etcd, the root of the cluster's keys, and credentials. */
export interface EtcdOptions {
  readonly hosts: readonly string[];
  readonly root: string;
  /** What its values are kept as; unchanged when left out. */
  readonly transformer?: Transformer;
  readonly tls?: { readonly ca: Buffer; readonly cert: Buffer; readonly key: Buffer };
}

/** Single calls without retries: the caller decides what a lost response means. */
export interface EtcdClient {
  revision(): Promise<Revision>;
  /** Which root holds the entries. */
  readonly root: Pick<EtcdRoot, "find" | "isMovedBy" | "ownKey">;
  /** Replaces all entries by these: see {@link EtcdRoot}. */
  replaceAll(entries: readonly Pick<Stored, "key" | "value">[]): Promise<void>;
  page(after: string | undefined, at: Revision | undefined): Promise<Snapshot & { readonly more: boolean }>;
  commit(...parts: readonly (Write | Condition)[]): Promise<Commit>;
  compact(upTo: Revision): Promise<void>;
  /** All changes of the store after `from`, until the connection breaks or the signal is aborted. */
  events(from: Revision, signal: AbortSignal): AsyncIterable<IWatchResponse>;
  /** The value of bytes that etcd keeps under this key, which is without the root. */
  ownValue(key: string, kept: Uint8Array): Uint8Array;
}
/** The entries at a revision. */
export interface Snapshot {
  readonly entries: readonly Stored[];
  readonly revision: Revision;
}

const answerWithinMs = 1500;
const entriesPerPage = 500;
/** Behind a key it makes the next one; alone, as both ends of a range, it means every key. Source: the API of etcd. */
const zeroByte = Buffer.from([0]);

// etcd3 retries silently and opens a circuit breaker for seconds. A retried transaction can fail because of its own
// first attempt, and a restarted etcd responds within a second, so both are disabled.
const once = {
  execute: async (call: (context: object) => unknown) => call({}),
  onSuccess: () => ({ dispose: () => {} }),
  onFailure: () => ({ dispose: () => {} }),
} as unknown as NonNullable<NonNullable<IOptions["faultHandling"]>["global"]>;

function connect(options: EtcdOptions, clock: Clock): Etcd3 {
  const { hosts, tls } = options;
  return new Etcd3({
    hosts: [...hosts],
    ...(tls && { credentials: { rootCertificate: tls.ca, privateKey: tls.key, certChain: tls.cert } }),
    grpcOptions: {
      "grpc.max_receive_message_length": -1,
      "grpc.max_send_message_length": -1,
      "grpc.keepalive_time_ms": 10_000,
      "grpc.keepalive_timeout_ms": 3_000,
      // Reconnects within a second: a restarted etcd is ready before gRPC's own back-off ends.
      "grpc.initial_reconnect_backoff_ms": 100,
      "grpc.max_reconnect_backoff_ms": 1_000,
    },
    // Without one, a call to a member that has just lost its leader waits for seven seconds; a watch must have none.
    defaultCallOptions: (call) => (call.isStream ? {} : { deadline: clock.now() + answerWithinMs }),
    faultHandling: { global: once, host: () => once },
  });
}

/**
 * Copies a value: it is a view of a complete message, which would stay in memory with it. Not a `Buffer`, which is a
 * view of a slab shared with other allocations.
 */
const ownBytes = (value: Uint8Array): Uint8Array => new Uint8Array(value);

/** The API error for a failure after which certainly nothing was written; undefined for others. */
export function refusal(e: unknown): ApiError | undefined {
  const tooLarge = e instanceof GRPCResourceExhastedError && e.message.includes("larger than max");
  if (e instanceof GRPCInvalidArgumentError || tooLarge)
    return new ApiError("RequestEntityTooLarge", `etcd refuses: ${e.message}`);
  if (e instanceof GRPCResourceExhastedError)
    return new ApiError("ServiceUnavailable", `etcd has no room left, nothing was written: ${e.message}`);
  return undefined;
}

/** Connect lazily; the connection ends with the signal. */
export function etcdClient(options: EtcdOptions, clock: Clock, signal: AbortSignal): EtcdClient {
  const etcd = connect(options, clock);
  const root = etcdRoot(etcd, options.root);
  const { transformer = unchanged } = options;
  const ownValue = (key: string, kept: Uint8Array): Uint8Array => {
    const value = transformer.open(key, kept);
    return value === kept ? ownBytes(kept) : value;
  };
  const stored = (kv: IKeyValue): Stored => {
    const key = root.ownKey(kv.key)!;
    return {
      ...{ key, value: ownValue(key, kv.value) },
      created: revision(Number(kv.create_revision)),
      modified: revision(Number(kv.mod_revision)),
    };
  };
  onAbort(signal, () => etcd.close());
  return {
    root,
    ownValue,
    replaceAll: (entries) => root.replace(entries, transformer.seal),
    async revision() {
      const { header } = await etcd.kv.range({ key: root.prefix, keys_only: true, limit: 1 });
      return revision(Number(header.revision));
    },
    async page(after, at) {
      const key = after === undefined ? root.prefix : Buffer.concat([root.fullKey(after), zeroByte]);
      const request = { key, range_end: prefixEnd(root.prefix), limit: entriesPerPage, ...(at && { revision: at }) };
      const { kvs, header, more } = await etcd.kv.range(request);
      return { entries: kvs.map(stored), revision: at ?? revision(Number(header.revision)), more };
    },
    async commit(...parts) {
      const response = await etcd.kv.txn({
        compare: [...parts.map(({ key, expect }) => unchangedSince(root.fullKey(key), expect)), root.isCurrent()],
        success: parts.filter(isWrite).map(({ key, value }) => {
          if (value === null) return { request_delete_range: { key: root.fullKey(key) } };
          const { buffer, byteOffset, byteLength } = transformer.seal(key, value);
          return { request_put: { key: root.fullKey(key), value: Buffer.from(buffer, byteOffset, byteLength) } };
        }),
        failure: parts.map(({ key }) => ({ request_range: { key: root.fullKey(key) } })),
      });
      if (response.succeeded) return { ok: true, revision: revision(Number(response.header.revision)) };
      const found = response.responses.map(({ response_range: { kvs } }) => kvs[0] && stored(kvs[0]));
      const failed = parts.findIndex(({ expect }, i) => (found[i]?.modified ?? 0) !== expect);
      if (failed < 0) throw new ApiError("ServiceUnavailable", "the store is being replaced, nothing was written");
      return { ok: false, key: parts[failed]!.key, current: found[failed] };
    },
    async compact(upTo) {
      try {
        await etcd.kv.compact({ revision: upTo });
      } catch (e) {
        // Out of range: another server has already compacted as far.
        if (!(e instanceof GRPCOutOfRangeError)) throw e;
      }
    },
    async *events(from, aborted) {
      const stream = await etcd.watchClient.watch();
      // A cancelled stream emits an error that has no reader; the loop below receives other errors.
      stream.on("error", () => {});
      const off = onAbort(aborted, () => stream.cancel());
      try {
        stream.write({
          create_request: { key: zeroByte, range_end: zeroByte, start_revision: from + 1, progress_notify: true },
        });
        yield* stream as unknown as AsyncIterable<IWatchResponse>;
      } finally {
        off();
        stream.cancel();
      }
    },
  };
}
