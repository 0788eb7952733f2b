// Ports that are told twice, or that may get in each other's way.
import type { Container, ContainerPort } from "../../generated/types.ts";

interface Told {
  readonly port: ContainerPort;
  readonly path: string;
}
const hostOf = ({ hostIP = "", hostPort = 0 }: ContainerPort): readonly [ip: string, port: number] => [
  hostIP,
  hostPort,
];

/** How two definitions of the same port go together. */
function together({ port, path }: Told, before: Told): readonly string[] {
  const [[ip, host], [otherIp, otherHost]] = [hostOf(port), hostOf(before.port)];
  if (ip === otherIp && host === otherHost) return [`${path}: duplicate port definition with ${before.path}`];
  if (host === 0 || otherHost === 0) return [`${path}: overlapping port definition with ${before.path}`];
  return host === otherHost && (ip === "") !== (otherIp === "")
    ? [`${path}: dangerously ambiguous port definition with ${before.path}`]
    : [];
}

/** What to know of the ports of all containers of a pod. */
export function portWarnings(containers: readonly (readonly [Container, string])[]): readonly string[] {
  const told = containers.flatMap(([c, path]) =>
    (c.ports ?? []).map((port, i): Told => ({ port, path: `${path}.ports[${i}]` })),
  );
  if (told.length < 2) return [];
  const isSame = (a: ContainerPort, b: ContainerPort): boolean =>
    a.containerPort === b.containerPort && (a.protocol || "TCP") === (b.protocol || "TCP");
  return [
    ...told.flatMap((one, i) =>
      told
        .slice(0, i)
        .filter((before) => isSame(before.port, one.port))
        .flatMap((before) => together(one, before)),
    ),
    ...told.flatMap(({ port, path }, i) => {
      const first = told.find((before) => before.port.name === port.name);
      if (!port.name || !first || told.indexOf(first) === i) return [];
      return [
        `${path}: duplicate port name ${JSON.stringify(port.name)} with ${first.path}, services and probes that select ports by name will use ${first.path}`,
      ];
    }),
  ];
}
