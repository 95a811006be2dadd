// Keeps the page fresh: fetches it again when the collector says that something changed, at most
// as often as the page allows and at least every ten seconds beyond that, and puts the new content
// in the place of the old.
(() => {
  // Pages with forms say `never`: what somebody types must not be swept away.
  if (document.body.dataset.soonestMs === "never") return;
  const SOONEST_MS = Number(document.body.dataset.soonestMs), LATEST_MS = SOONEST_MS + 9000;
  let last = Date.now(), due = null;

  const refresh = async () => {
    due = null;
    last = Date.now();
    if (document.hidden) return;
    try {
      const answer = await fetch(location.href, { headers: { accept: "text/html" } });
      if (!answer.ok) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("main");
      const stale = document.querySelector("main");
      if (!fresh || !stale) return;
      // Whoever selects text keeps it; whoever tabs keeps the place.
      if (String(getSelection())) return;
      const focused = stale.contains(document.activeElement) ? document.activeElement.id : "";
      stale.replaceChildren(...fresh.childNodes);
      if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
    } catch {
      // The collector is away; the next try will tell.
    }
  };

  const soon = () => {
    if (due === null) due = setTimeout(refresh, Math.max(0, SOONEST_MS - (Date.now() - last)));
  };

  new EventSource("/events").addEventListener("changed", soon);
  setInterval(() => { if (LATEST_MS <= Date.now() - last) soon(); }, 1000);
  document.addEventListener("visibilitychange", soon);
})();
