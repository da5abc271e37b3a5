// What a page looks like, in numbers. An object of functions, evaluated in the page.
({
  // Texts and drawings that cover each other.
  overlaps() {
    const visible = (element) => element.checkVisibility({ contentVisibilityAuto: true });
    // What scrolls is seen only within its frame.
    const seen = (rect, element) => {
      let { left, top, right, bottom } = rect;
      for (let at = element; at && at !== document.body; at = at.parentElement) {
        if (getComputedStyle(at).overflowX === "visible") continue;
        const frame = at.getBoundingClientRect();
        left = Math.max(left, frame.left);
        right = Math.min(right, frame.right);
      }
      return { left, top, right, bottom };
    };
    const things = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const text = walker.currentNode;
      if (!text.data.trim() || !visible(text.parentElement)) continue;
      const range = document.createRange();
      range.selectNodeContents(text);
      for (const rect of range.getClientRects()) {
        if (rect.width > 0) things.push({ what: text.data.trim(), of: text, ...seen(rect, text.parentElement) });
      }
    }
    for (const svg of document.querySelectorAll("svg")) {
      const what = `drawing ${svg.getAttribute("aria-label")}`;
      if (visible(svg)) things.push({ what, of: svg, ...seen(svg.getBoundingClientRect(), svg.parentElement) });
    }
    const found = [];
    things.forEach((one, at) => {
      for (const other of things.slice(at + 1)) {
        if (one.of === other.of) continue;
        const across = Math.min(one.right, other.right) - Math.max(one.left, other.left);
        const down = Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top);
        if (across > 1 && down > 1) found.push(`${one.what} / ${other.what}: ${across} x ${down}`);
      }
    });
    return found;
  },

  // Elements that stick out of the part of the page that they belong to.
  outside() {
    return [...document.querySelectorAll("body *")]
      .filter((element) => {
        const frame = element.parentElement.closest("section, header, footer");
        if (!frame || element.closest(".scroll, svg") || !element.checkVisibility()) return false;
        const inner = element.getBoundingClientRect();
        const outer = frame.getBoundingClientRect();
        const out = [outer.left - inner.left, inner.right - outer.right, inner.bottom - outer.bottom];
        return inner.width > 0 && Math.max(...out) > 1;
      })
      .map((element) => element.outerHTML.slice(0, 120));
  },

  // How far the page is wider than the window.
  excess() {
    return Math.max(0, document.documentElement.scrollWidth - innerWidth);
  },

  // Texts whose contrast is less than the 4.5 of WCAG 2's level AA.
  faint() {
    const channels = (color) => {
      const numbers = color.match(/[\d.]+(?:e-?\d+)?/g).map(Number).slice(0, 3);
      return color.startsWith("color(") ? numbers : numbers.map((channel) => channel / 255);
    };
    const luminance = (color) => {
      const linear = (part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
      const [red, green, blue] = channels(color).map(linear);
      return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    const background = (element) => {
      const color = getComputedStyle(element).backgroundColor;
      const see_through = color === "rgba(0, 0, 0, 0)" || color === "transparent";
      return see_through && element.parentElement ? background(element.parentElement) : color;
    };
    const found = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const text = walker.currentNode;
      if (!text.data.trim()) continue;
      const element = text.parentElement;
      const [ink, paper] = [getComputedStyle(element).color, background(element)].map(luminance);
      const ratio = (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
      if (ratio < 4.5) found.push(`${text.data.trim().slice(0, 40)}: ${ratio.toFixed(2)}`);
    }
    return found;
  },

  // Parts that are folded away.
  folded() {
    return [...document.querySelectorAll("details > :not(summary)")].filter((part) => !part.checkVisibility()).length;
  },
});
