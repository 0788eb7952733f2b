// The streaming protocols and their negotiation. Pure.

/** A version of the protocol of exec and attach. */
export interface SessionProtocol {
  readonly name: string;
  readonly version: number;
  readonly base64?: boolean;
}

/** Over WebSocket. A client that offers none gets the first one. */
export const channelProtocols: readonly SessionProtocol[] = [
  { name: "v5.channel.k8s.io", version: 5 },
  { name: "v4.channel.k8s.io", version: 4 },
  { name: "v4.base64.channel.k8s.io", version: 4, base64: true },
  { name: "channel.k8s.io", version: 1 },
  { name: "base64.channel.k8s.io", version: 1, base64: true },
  { name: "", version: 1 },
];

/** Over SPDY, whose streams can be closed, so that there is no fifth version. */
export const spdyProtocols: readonly SessionProtocol[] = [
  { name: "v5.channel.k8s.io", version: 5 },
  { name: "v4.channel.k8s.io", version: 4 },
  { name: "v3.channel.k8s.io", version: 3 },
  { name: "v2.channel.k8s.io", version: 2 },
  { name: "channel.k8s.io", version: 1 },
];

/** Port forwarding with a pair of channels for each port of the query. */
export const portChannelProtocols: readonly SessionProtocol[] = [
  { name: "v4.channel.k8s.io", version: 4 },
  { name: "v4.base64.channel.k8s.io", version: 4, base64: true },
  { name: "", version: 4 },
];

/** Parses a header with a list of names. */
export const namesIn = (header: string | readonly string[] | undefined): readonly string[] =>
  [header ?? []]
    .flat()
    .flatMap((line) => line.split(","))
    .map((name) => name.trim())
    .filter((name) => name !== "");

/** The first offered protocol that is known; a client that offers none offers the empty name. */
export function negotiate<P extends { readonly name: string }>(
  offered: readonly string[],
  known: readonly P[],
): P | undefined {
  const names = offered.length === 0 ? [""] : offered;
  return names.map((name) => known.find((p) => p.name === name)).find((p) => p !== undefined);
}
