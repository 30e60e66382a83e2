// The /executor page: which part of the state draws which panel.

import { activityPanel } from "./executor/activity.js";
import { alarmsPanel } from "./executor/alarms.js";
import { drawEquity, startCharts } from "./executor/charts.js";
import { commandBand, thumbBar } from "./executor/command.js";
import { funnelPanel } from "./executor/funnel.js";
import { balances, stats } from "./executor/money.js";
import { positionsPanel } from "./executor/positions.js";
import { settingsForm } from "./executor/settings.js";
import { strip } from "./executor/strip.js";
import { tradesPanel } from "./executor/trades.js";
import { unhedgedPanel } from "./executor/unhedged.js";
import { startShell } from "./shell.js";
import { onMessage, view } from "./store.js";

const at = (id) => document.getElementById(id);
const RUN = ["run_state", "enabled", "services", "link", "pending", "clock", "settings"];

view(at("command"), [...RUN, "stats", "venues"], commandBand);
view(at("strip"), ["stats", "settings", "unhedged", "venues", "services", "balances", "clock"],
  strip);
view(at("unhedged"), ["unhedged", "pending", "link", "services", "clock"], unhedgedPanel);
view(at("alarms"), ["alarms", "pending", "link", "clock"], alarmsPanel);
view(at("settings"), ["settings", "stats", "balances", "pending", "link", "services"],
  settingsForm);
view(at("balances"), ["balances", "clock"], balances);
view(at("stats"), ["stats", "settings"], stats);
view(at("positions"), ["positions", "pending", "link", "services", "scanner"], positionsPanel);
view(at("trades"), ["trades", "stats"], tradesPanel);
view(at("funnel"), ["funnel"], funnelPanel);
view(at("activity"), ["events"], activityPanel);
view(at("thumb"), ["run_state", "enabled", "pending"], thumbBar);

onMessage(({ type }) => type === "trade_event" && drawEquity());
startShell(["executor"]);
startCharts();
