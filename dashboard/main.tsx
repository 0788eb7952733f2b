// The page: nodes with the pods they hold, as they change.
import { signal } from "@preact/signals";
import { render } from "preact";
import { type CollectionState, follow, type KubernetesObject } from "./api.ts";
import { type Health, healthOf, type Node, type Pod } from "./health.ts";

const pods = signal<CollectionState>({ objects: new Map() });
const nodes = signal<CollectionState>({ objects: new Map() });

const byName = (a: KubernetesObject, b: KubernetesObject): number =>
  `${a.metadata.namespace}/${a.metadata.name}` < `${b.metadata.namespace}/${b.metadata.name}` ? -1 : 1;

const PodDot = ({ pod, health }: { readonly pod: Pod; readonly health: Health }) => {
  const label = `${pod.metadata.namespace}/${pod.metadata.name}: ${health.reason}`;
  return <li class={`pod ${health.state}`} title={label} aria-label={label} />;
};

const Group = ({
  name,
  held,
  note,
}: {
  readonly name: string;
  readonly held: readonly Pod[];
  readonly note: string;
}) => (
  <section class="node" aria-label={name}>
    <h2>{name}</h2>
    <p class="note">{note}</p>
    <ul class="pods">
      {held.map((pod) => (
        <PodDot key={pod.metadata.uid} pod={pod} health={healthOf(pod)} />
      ))}
    </ul>
  </section>
);

const Page = () => {
  const allPods = ([...pods.value.objects.values()] as Pod[]).sort(byName);
  const held = Map.groupBy(allPods, (pod) => pod.spec.nodeName ?? "");
  const error = nodes.value.error ?? pods.value.error;
  const unscheduled = held.get("") ?? [];
  return (
    <main>
      <header>
        <h1>Cluster</h1>
        <p class="note">
          {nodes.value.objects.size} nodes, {allPods.length} pods
        </p>
      </header>
      {error && <p role="alert">Out of date: {error}</p>}
      {unscheduled.length > 0 && <Group name="Not scheduled" held={unscheduled} note={`${unscheduled.length} pods`} />}
      {([...nodes.value.objects.values()] as Node[]).sort(byName).map((node) => {
        const own = held.get(node.metadata.name) ?? [];
        const ready = node.status?.conditions?.find(({ type }) => type === "Ready")?.status === "True";
        const note = `${ready ? "Ready" : "Not ready"}, ${own.length} of ${node.status?.allocatable?.["pods"] ?? "?"} pods`;
        return <Group key={node.metadata.uid} name={node.metadata.name} held={own} note={note} />;
      })}
    </main>
  );
};

const open = new AbortController();
void follow("/api/v1/nodes", (state) => (nodes.value = state), open.signal);
void follow("/api/v1/pods", (state) => (pods.value = state), open.signal);
render(<Page />, document.body);
