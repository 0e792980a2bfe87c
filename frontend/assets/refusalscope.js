// Clientside callbacks of the dashboard (frontend/page.py: Ui.clientside). No other script runs but Dash's own.
window.dash_clientside = window.dash_clientside || {};
window.dash_clientside.refusalscope = {
    read_address: function () {
        return { pathname: window.location.pathname, search: window.location.search };
    },

    // The browser's title; after a change of page, the part its address names or the top of it and the focus there.
    show_title: function (title) {
        if (!title) {
            return;
        }
        const self = window.dash_clientside.refusalscope;
        document.title = title;
        const path = window.location.pathname;
        const main = document.getElementById("main");
        const part = document.getElementById(window.location.hash.slice(1));
        if (self.shown_path !== path && part) {
            part.scrollIntoView();
        } else if (self.shown_path !== undefined && self.shown_path !== path && main) {
            window.scrollTo(0, 0);
            main.focus({ preventScroll: true });
        }
        self.shown_path = path;
    },

    // Closed it is out of sight, and then out of the keyboard's way as well.
    toggle_navigation: function (opened) {
        const navbar = { width: 240, breakpoint: "sm", collapsed: { mobile: !opened, desktop: true } };
        return [navbar, { visibility: opened ? "visible" : "hidden" }];
    },

    close_navigation: function () {
        return false;
    },

    // What a reader adjusts goes into the address without a new entry in the history and without a new page.
    replace_query: function (query) {
        if (typeof query === "string") {
            window.history.replaceState(window.history.state, "", window.location.pathname + query);
        }
    },

    // A new filter: forget every row and ask from the start.
    purge_grid: function (filters, grid) {
        window.dash_ag_grid.getApiAsync(grid).then(function (api) {
            api.purgeInfiniteCache();
        });
    },

    // The same rows, asked anew in place.
    refresh_grid: function (tick, grid) {
        window.dash_ag_grid.getApiAsync(grid).then(function (api) {
            api.refreshInfiniteCache();
        });
    },
};

// AG Grid cells: {"href": ..., "text": ...} as a link that opens in place, in a new tab or window as the reader likes.
window.dashAgGridComponentFunctions = window.dashAgGridComponentFunctions || {};
window.dashAgGridComponentFunctions.Link = function (props) {
    const value = props.value;
    if (!value) {
        return null;
    }
    return React.createElement(
        "a",
        {
            href: value.href,
            title: value.text,
            onClick: function (event) {
                if (event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) {
                    return;
                }
                event.preventDefault();
                window.history.pushState({}, "", value.href);
                window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
            },
        },
        value.text
    );
};

// Enter on a cell opens its link: the grid's own keys move between cells and not into them.
document.addEventListener("keydown", function (event) {
    if (event.key === "Enter" && event.target.classList.contains("ag-cell")) {
        const link = event.target.querySelector("a");
        if (link) {
            link.click();
        }
    }
});
