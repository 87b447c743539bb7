// The names of the tabs, when the language changes: Gradio renames only those that were opened once.
const TAB_KEYS = Object.keys(tts.data.strings.en).filter((key) => key.startsWith("tab_"));

function nameTabs() {
  const tables = Object.values(tts.data.strings);
  for (const button of document.querySelectorAll("#tabs > .tab-wrapper button")) {
    const text = [...button.childNodes].find((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
    const key = text && TAB_KEYS.find((one) => tables.some((table) => table[one] === text.data.trim()));
    if (key && text.data.trim() !== tts.t(key)) text.data = tts.t(key);
  }
}

tts.addEventListener("lang", nameTabs);
// the menu of tabs that do not fit is made anew each time it opens
tts.present("#tabs > .tab-wrapper").then((bar) => new MutationObserver(nameTabs).observe(bar, { childList: true, subtree: true }));
