/* Updates the children of a list, and selects one of its options. */

/** Set the children of a list, moving and replacing as few as possible. */
export function reconcile(list, wanted) {
  const kept = new Set(wanted);
  for (const child of [...list.children]) if (!kept.has(child)) child.remove();
  let next = list.firstElementChild;
  for (const element of wanted) {
    if (element === next) next = next.nextElementSibling;
    else list.insertBefore(element, next);
  }
}

/** Select the option at a place of a list whose `field` has the focus (a combobox). Without this option, select none. */
export function selectOption(list, field, place) {
  [...list.children].forEach((option, each) => option.setAttribute("aria-selected", String(each === place)));
  const option = list.children[place];
  option?.scrollIntoView({ block: "nearest" });
  if (option) field.setAttribute("aria-activedescendant", option.id);
  else field.removeAttribute("aria-activedescendant");
}
