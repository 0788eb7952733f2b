// Serves and calls the services of CSI over unix sockets.
import { Client, Metadata, Server, ServerCredentials, credentials, status } from "@grpc/grpc-js";
import type { MethodDefinition, ServiceDefinition, ServiceError, handleUnaryCall } from "@grpc/grpc-js";
import protobufjs, { type Type } from "protobufjs";
import type { Clock } from "../../machinery/world.ts";
import { type Received, type Sent, type Service, definitionOf } from "./schema.ts";

/** An error with its gRPC status, as CSI defines for each call. */
export class RpcError extends Error {
  override readonly name = "RpcError";
  readonly code: RpcCode;
  constructor(code: RpcCode, message: string) {
    super(message);
    this.code = code;
  }
}
export type RpcCode = keyof typeof status;

/** The error as Go's gRPC library prints it, which is how Kubernetes shows it in events. */
export function rpcMessage(error: unknown): string {
  if (!(error instanceof RpcError)) return (error as Error).message;
  const words = error.code.split("_").map((word) => word.slice(0, 1) + word.slice(1).toLowerCase());
  const code = error.code === "OK" ? "OK" : error.code === "CANCELLED" ? "Canceled" : words.join("");
  return `rpc error: code = ${code} desc = ${error.message}`;
}

type Methods<S extends Service> = S["methods"];
/** The implementation of a service. Throws {@link RpcError}; other errors become Internal. */
export type Handlers<S extends Service> = {
  readonly [K in keyof Methods<S>]?: (
    request: Received<Methods<S>[K]["request"]>,
  ) => Promise<Sent<Methods<S>[K]["response"]>>;
};
/** A service of another process. Calls reject with {@link RpcError}. */
export type Caller<S extends Service> = {
  readonly [K in keyof Methods<S>]: (
    request: Sent<Methods<S>[K]["request"]>,
    options?: CallOptions,
  ) => Promise<Received<Methods<S>[K]["response"]>>;
};
export interface CallOptions {
  /** DeadlineExceeded after this time; two minutes by default, as the kubelet waits. */
  readonly timeoutMs?: number;
}
const defaultTimeoutMs = 120_000;

const serialize = (type: Type) => (value: object) => Buffer.from(type.encode(type.fromObject(value)).finish());
const deserialize = (type: Type) => (bytes: Buffer) =>
  type.toObject(type.decode(bytes), { defaults: true, longs: Number, enums: String });

function definition(service: Service): ServiceDefinition {
  const root = protobufjs.Root.fromJSON(definitionOf(service));
  const methods = Object.entries(service.methods).map(([name, method]) => {
    const [request, response] = [root.lookupType(method.request.name), root.lookupType(method.response.name)];
    const definition: MethodDefinition<object, object> = {
      path: `/${service.name}/${name}`,
      requestStream: false,
      responseStream: false,
      requestSerialize: serialize(request),
      requestDeserialize: deserialize(request),
      responseSerialize: serialize(response),
      responseDeserialize: deserialize(response),
    };
    return [name, definition] as const;
  });
  return Object.fromEntries(methods);
}

const codeNames = Object.fromEntries(Object.entries(status).map(([name, code]) => [code, name])) as Record<
  number,
  RpcCode
>;

type UntypedHandler = (request: never) => Promise<object>;

/** Serves one method; a method without handler is Unimplemented, as gRPC demands. */
function served(name: string, handler: UntypedHandler | undefined): handleUnaryCall<object, object> {
  const answer: UntypedHandler =
    handler ?? (() => Promise.reject(new RpcError("UNIMPLEMENTED", `${name} is not implemented`)));
  return ({ request }, done) => {
    answer(request as never).then(
      (response) => done(null, response),
      (error: unknown) => {
        const code = error instanceof RpcError ? error.code : "INTERNAL";
        done({ code: status[code], details: (error as Error).message });
      },
    );
  };
}

/** A service and its handlers, for {@link listen}. */
export interface Implementation {
  readonly service: Service;
  readonly handlers: Readonly<Record<string, UntypedHandler | undefined>>;
}
export const implement = <S extends Service>(service: S, handlers: Handlers<S>): Implementation => ({
  service,
  handlers: handlers as Implementation["handlers"],
});

export interface Listening {
  /** Ends calls in progress, and removes the socket. */
  close(): void;
}
/** Listens on a unix socket, whose path must be free. */
export function listen(socketPath: string, implementations: readonly Implementation[]): Promise<Listening> {
  const server = new Server();
  for (const { service, handlers } of implementations) {
    const methods = Object.keys(service.methods);
    server.addService(definition(service), Object.fromEntries(methods.map((m) => [m, served(m, handlers[m])])));
  }
  return new Promise((resolve, reject) => {
    server.bindAsync(`unix://${socketPath}`, ServerCredentials.createInsecure(), (error) => {
      if (error) reject(error);
      else resolve({ close: () => server.forceShutdown() });
    });
  });
}

export interface RemoteService<S extends Service> {
  readonly call: Caller<S>;
  close(): void;
}
/** Connects to a service on a unix socket. The connection is made, and made again, when it is called. */
export function connectTo<S extends Service>(socketPath: string, service: S, clock: Clock): RemoteService<S> {
  const client = new Client(`unix://${socketPath}`, credentials.createInsecure(), {
    // A driver that comes back is noticed soon.
    "grpc.max_reconnect_backoff_ms": 1000,
    "grpc.initial_reconnect_backoff_ms": 100,
  });
  const call =
    (method: ServiceDefinition[string]) =>
    (request: object, options: CallOptions = {}) =>
      new Promise((resolve, reject) => {
        const deadline = { deadline: clock.now() + (options.timeoutMs ?? defaultTimeoutMs) };
        client.makeUnaryRequest(
          method.path,
          method.requestSerialize,
          method.responseDeserialize,
          request,
          new Metadata(),
          deadline,
          (error: ServiceError | null, response: unknown) => {
            if (error) reject(new RpcError(codeNames[error.code]!, error.details));
            else resolve(response);
          },
        );
      });
  const calls = Object.entries(definition(service)).map(([name, method]) => [name, call(method)] as const);
  return { call: Object.fromEntries(calls) as unknown as Caller<S>, close: () => client.close() };
}
