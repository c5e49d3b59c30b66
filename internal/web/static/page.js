"use strict";
// The pages work without this. It opens what a link points into, and adds buttons
// to open all groups and to copy commands.

function openTarget() {
  const id = decodeURIComponent(location.hash.slice(1));
  const target = id && document.getElementById(id);
  if (target) {
    for (let e = target; e; e = e.parentElement) if (e.tagName === "DETAILS") e.open = true;
    target.scrollIntoView();
    return;
  }
  // Links as vmalert's pages have them: the group may be on another page of the list.
  const group = /^group-(\d+)$/.exec(id);
  const query = new URLSearchParams(location.search);
  if (group && document.querySelector(".groups") && query.get("group_id") !== group[1]) {
    location.replace("?group_id=" + group[1]);
  }
}

function addButton(parent, text, act) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = text;
  button.addEventListener("click", () => act(button));
  parent.append(button);
}

function openAll(open) {
  for (const group of document.querySelectorAll("details.group")) group.open = open;
}

async function copy(text, button) {
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "copied";
  } catch {
    button.textContent = "select it to copy";
  }
}

for (const bar of document.querySelectorAll(".groups .tools")) {
  addButton(bar, "Open all", () => openAll(true));
  addButton(bar, "Close all", () => openAll(false));
}
for (const box of document.querySelectorAll(".command")) {
  addButton(box, "Copy", (button) => copy(box.querySelector("pre").textContent, button));
}
addEventListener("hashchange", openTarget);
openTarget();
