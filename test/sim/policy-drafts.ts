// Policies, labels and packets drawn at random, small enough to meet one another often.
import type {
  LabelSelector,
  NetworkPolicyPeer,
  NetworkPolicyPort,
  NetworkPolicySpec,
} from "../../api/generated/types.ts";
import type { Random } from "../../machinery/world.ts";
import type { Packet } from "./packet-filter.ts";

export const drawOne = <T>(values: readonly T[], random: Random): T =>
  values[Math.floor(random.next() * values.length)]!;
const drawMany = <T>(draw: () => T, most: number, random: Random): readonly T[] =>
  Array.from({ length: Math.floor(random.next() * (most + 1)) }, draw);

const labelNames = ["app", "tier"];
const labelValues = ["a", "b"];
export const drawLabels = (random: Random): Readonly<Record<string, string>> =>
  Object.fromEntries(
    labelNames.flatMap((name) => (random.next() < 0.7 ? [[name, drawOne(labelValues, random)] as const] : [])),
  );

function drawSelector(random: Random): LabelSelector {
  const dice = random.next();
  const key = drawOne(labelNames, random);
  if (dice < 0.25) return {};
  if (dice < 0.65) return { matchLabels: { [key]: drawOne(labelValues, random) } };
  if (dice < 0.8) return { matchExpressions: [{ key, operator: drawOne(["Exists", "DoesNotExist"], random) }] };
  const values = [drawOne(labelValues, random)];
  return { matchExpressions: [{ key, operator: drawOne(["In", "NotIn"], random), values }] };
}

const blocks: readonly NetworkPolicyPeer[] = [
  { ipBlock: { cidr: "0.0.0.0/0" } },
  { ipBlock: { cidr: "0.0.0.0/0", except: ["10.0.0.0/30", "192.0.2.0/24", "10.0.0.0/31"] } },
  { ipBlock: { cidr: "10.0.0.0/29", except: ["10.0.0.2/32"] } },
  { ipBlock: { cidr: "192.0.2.0/24" } },
  { ipBlock: { cidr: "::/0", except: ["fd00::/126"] } },
  { ipBlock: { cidr: "fd00::4/126" } },
];
function drawPeer(random: Random): NetworkPolicyPeer {
  const dice = random.next();
  if (dice < 0.3) return { podSelector: drawSelector(random) };
  if (dice < 0.5) return { namespaceSelector: drawSelector(random) };
  if (dice < 0.75) return { namespaceSelector: drawSelector(random), podSelector: drawSelector(random) };
  return drawOne(blocks, random);
}

const portNames = ["web", "dns"];
const portNumbers = [53, 80, 81, 90];
const drawProtocol = (random: Random) => drawOne(["TCP", "TCP", "UDP", "SCTP"] as const, random);
function drawPort(random: Random): NetworkPolicyPort {
  const dice = random.next();
  const protocol = drawProtocol(random);
  if (dice < 0.15) return { protocol };
  if (dice < 0.5) return { protocol, port: drawOne(portNames, random) };
  const port = drawOne(portNumbers, random);
  return dice < 0.75 ? { port } : { protocol, port, endPort: port + Math.floor(random.next() * 12) };
}

export const drawContainerPorts = (random: Random) =>
  drawMany(
    () => ({
      name: drawOne(portNames, random),
      containerPort: drawOne(portNumbers, random),
      protocol: drawProtocol(random),
    }),
    2,
    random,
  );

export function drawPolicySpec(random: Random): NetworkPolicySpec {
  const rule = () => ({
    ...(random.next() < 0.8 && { peers: drawMany(() => drawPeer(random), 2, random) }),
    ...(random.next() < 0.6 && { ports: drawMany(() => drawPort(random), 3, random) }),
  });
  const rules = () => drawMany(rule, 2, random);
  return {
    podSelector: drawSelector(random),
    ...(random.next() < 0.7 && {
      policyTypes: drawOne([["Ingress"], ["Egress"], ["Ingress", "Egress"], []] as const, random),
    }),
    ...(random.next() < 0.8 && {
      ingress: rules().map(({ peers, ...rest }) => ({ ...rest, ...(peers && { from: peers }) })),
    }),
    ...(random.next() < 0.6 && {
      egress: rules().map(({ peers, ...rest }) => ({ ...rest, ...(peers && { to: peers }) })),
    }),
  };
}

/** A packet between two addresses of one family. */
export function drawPacket(addresses: readonly string[], random: Random): Packet {
  const source = drawOne(addresses, random);
  const others = addresses.filter((address) => address.includes(":") === source.includes(":"));
  return {
    source,
    destination: drawOne(others, random),
    protocol: drawOne(["tcp", "tcp", "udp", "sctp", "icmp"] as const, random),
    port: drawOne([...portNumbers, 85], random),
    state: drawOne(["new", "new", "new", "established", "reply", "related"] as const, random),
  };
}
