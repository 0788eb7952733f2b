import { pods } from "/work/wt/growth/api/core/pods.ts";
import { each, podDraft, withControlPlane } from "/work/wt/growth/bench/system/cluster.ts";
await withControlPlane(async ({client, cpuSeconds}) => {
  await each(1000, () => client.create(pods, podDraft()));
  const n = Number(process.argv[2] ?? 10000); const [b,t] = [await cpuSeconds(), performance.now()]; const c=process.cpuUsage();
  await each(n, () => client.create(pods, podDraft()));
  const {user,system}=process.cpuUsage(c);
  console.log(((await cpuSeconds()) - b) * 1000 / n, "ms CPU per create; client", (user+system)/1000/n, "wall/s", n*1000/(performance.now()-t));
}, {apiOnly: true});
