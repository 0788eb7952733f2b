// Connection errors in Go's words, which operators search for. Pure.

const words: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connect: connection refused",
  EHOSTUNREACH: "connect: no route to host",
  ENETUNREACH: "connect: network is unreachable",
  ECONNRESET: "read: connection reset by peer",
  ETIMEDOUT: "i/o timeout",
  EPIPE: "write: broken pipe",
};

interface Failure {
  readonly code?: string | undefined;
  readonly message: string;
  readonly address?: string;
  readonly port?: number;
}

/** One line about a failed connection to this place. */
export function dialError(e: Failure, host: string, port: number | string): string {
  const known = words[e.code ?? ""];
  if (known === undefined) return e.message;
  const place = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
  return `dial tcp ${place}: ${known}`;
}
