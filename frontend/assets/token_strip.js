// The token strip of the prompt page (frontend/components/token_strip.py): hover previews, click chooses, arrows move.
(function () {
    const shown = 4; // features named on hover
    let focusNext = null; // what was chosen is drawn anew, and should keep the focus

    function features(strip) {
        if (strip.activationsText !== strip.dataset.activations) {
            strip.activationsText = strip.dataset.activations;
            strip.activations = JSON.parse(strip.dataset.activations);
        }
        return strip.activations;
    }

    function nearest(event, selector) {
        return event.target instanceof Element ? event.target.closest(selector) : null;
    }

    function readout(strip, place) {
        const here = [];
        for (const [name, pairs] of Object.entries(features(strip))) {
            const pair = pairs.find((one) => one[0] === place);
            if (pair) {
                here.push([pair[1], name]);
            }
        }
        here.sort((one, other) => other[0] - one[0]);
        const names = here.slice(0, shown).map((one) => one[1] + " " + one[0].toFixed(1));
        const rest = here.length > shown ? " and " + (here.length - shown) + " more" : "";
        const kind = JSON.parse(strip.dataset.classes)[place].replace("_", "-");
        const active = here.length ? "active: " + names.join(", ") + rest : "no listed feature is active";
        strip.querySelector(".token-readout").textContent = "token " + place + ", " + kind + ": " + active;
    }

    function preview(name) {
        const strip = document.querySelector(".token-strip");
        if (!strip) {
            return;
        }
        const heat = new Map();
        if (name) {
            const pairs = features(strip)[name] || [];
            const largest = Math.max(0, ...pairs.map((one) => one[1]));
            pairs.forEach((one) => heat.set(one[0], largest ? one[1] / largest : 0));
        }
        for (const token of strip.querySelectorAll(".token")) {
            if (name) {
                token.style.setProperty("--preview", heat.get(Number(token.dataset.token)) || 0);
            } else {
                token.style.removeProperty("--preview");
            }
        }
    }

    function look(event) {
        const token = nearest(event, ".token-strip .token");
        if (token) {
            readout(token.closest(".token-strip"), Number(token.dataset.token));
        }
        const chip = nearest(event, ".feature-chip");
        if (chip) {
            preview(chip.dataset.feature);
        }
    }

    function leave(event) {
        if (nearest(event, ".feature-chip")) {
            preview(null);
        }
    }

    function choose(event) {
        const token = nearest(event, ".token-strip .token");
        if (token) {
            focusNext = '.token-strip .token[data-token="' + token.dataset.token + '"]';
            window.dash_clientside.set_props("heat-token", { data: Number(token.dataset.token) });
        }
        const chip = nearest(event, ".feature-chip");
        if (chip) {
            focusNext = '#heat-chips .feature-chip[data-feature="' + chip.dataset.feature + '"]';
            window.dash_clientside.set_props("heat-feature", { data: chip.dataset.feature });
        }
    }

    function move(event) {
        const token = nearest(event, ".token-strip .token");
        if (!token) {
            return;
        }
        if (event.key === "Enter" || event.key === " ") {
            event.preventDefault();
            choose(event);
            return;
        }
        const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        if (step) {
            const next = Number(token.dataset.token) + step;
            const other = token.closest(".token-strip").querySelector('.token[data-token="' + next + '"]');
            if (other) {
                event.preventDefault();
                other.focus();
            }
        }
    }

    function keepFocus() {
        const chosen = focusNext && document.activeElement === document.body && document.querySelector(focusNext);
        if (chosen) {
            chosen.focus({ preventScroll: true });
            focusNext = null;
        }
    }

    new MutationObserver(keepFocus).observe(document.documentElement, { childList: true, subtree: true });
    document.addEventListener("mouseover", look);
    document.addEventListener("focusin", look);
    document.addEventListener("mouseout", leave);
    document.addEventListener("focusout", leave);
    document.addEventListener("click", choose);
    document.addEventListener("keydown", move);
})();
