// The languages a session can be held in, and the choice among those a client offers. Pure.

/** A version of the protocol of exec and attach, and whether its bytes travel as text. */
export interface SessionProtocol {
  readonly name: string;
  readonly version: number;
  readonly base64?: boolean;
}

/** Over WebSocket. A client that names none speaks the first one, in bytes. */
export const channelProtocols: readonly SessionProtocol[] = [
  { name: "v5.channel.k8s.io", version: 5 },
  { name: "v4.channel.k8s.io", version: 4 },
  { name: "v4.base64.channel.k8s.io", version: 4, base64: true },
  { name: "channel.k8s.io", version: 1 },
  { name: "base64.channel.k8s.io", version: 1, base64: true },
  { name: "", version: 1 },
];

/** Over SPDY, where streams have ends of their own: the fifth version adds nothing there. */
export const spdyProtocols: readonly SessionProtocol[] = [
  { name: "v5.channel.k8s.io", version: 5 },
  { name: "v4.channel.k8s.io", version: 4 },
  { name: "v3.channel.k8s.io", version: 3 },
  { name: "v2.channel.k8s.io", version: 2 },
  { name: "channel.k8s.io", version: 1 },
];

/** Ports named in the query, a pair of channels each. */
export const portChannelProtocols: readonly SessionProtocol[] = [
  { name: "v4.channel.k8s.io", version: 4 },
  { name: "v4.base64.channel.k8s.io", version: 4, base64: true },
  { name: "", version: 4 },
];

/** The names in a header that lists them. */
export const namesIn = (header: string | readonly string[] | undefined): readonly string[] =>
  [header ?? []]
    .flat()
    .flatMap((line) => line.split(","))
    .map((name) => name.trim())
    .filter((name) => name !== "");

/** The first of the client's names that is known; none asked for is a name too. */
export function chosen<P extends { readonly name: string }>(
  offered: readonly string[],
  known: readonly P[],
): P | undefined {
  const names = offered.length === 0 ? [""] : offered;
  return names.map((name) => known.find((p) => p.name === name)).find((p) => p !== undefined);
}
