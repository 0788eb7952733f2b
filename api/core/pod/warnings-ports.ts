// Warnings about container ports that repeat or overlap.
import type { Container, ContainerPort } from "../../generated/types.ts";

interface PlacedPort {
  readonly port: ContainerPort;
  readonly path: string;
}
const hostOf = ({ hostIP = "", hostPort = 0 }: ContainerPort): readonly [ip: string, port: number] => [
  hostIP,
  hostPort,
];

/** A warning about two definitions of the same container port. */
function overlap({ port, path }: PlacedPort, before: PlacedPort): readonly string[] {
  const [[ip, host], [otherIp, otherHost]] = [hostOf(port), hostOf(before.port)];
  if (ip === otherIp && host === otherHost) return [`${path}: duplicate port definition with ${before.path}`];
  if (host === 0 || otherHost === 0) return [`${path}: overlapping port definition with ${before.path}`];
  return host === otherHost && (ip === "") !== (otherIp === "")
    ? [`${path}: dangerously ambiguous port definition with ${before.path}`]
    : [];
}

/** Warnings about the ports of all containers of a pod. */
export function portWarnings(containers: readonly (readonly [Container, string])[]): readonly string[] {
  const ports = containers.flatMap(([c, path]) =>
    (c.ports ?? []).map((port, i): PlacedPort => ({ port, path: `${path}.ports[${i}]` })),
  );
  if (ports.length < 2) return [];
  const isSame = (a: ContainerPort, b: ContainerPort): boolean =>
    a.containerPort === b.containerPort && (a.protocol || "TCP") === (b.protocol || "TCP");
  return [
    ...ports.flatMap((one, i) =>
      ports
        .slice(0, i)
        .filter((before) => isSame(before.port, one.port))
        .flatMap((before) => overlap(one, before)),
    ),
    ...ports.flatMap(({ port, path }, i) => {
      const first = ports.find((before) => before.port.name === port.name);
      if (!port.name || !first || ports.indexOf(first) === i) return [];
      return [
        `${path}: duplicate port name ${JSON.stringify(port.name)} with ${first.path}, services and probes that select ports by name will use ${first.path}`,
      ];
    }),
  ];
}
