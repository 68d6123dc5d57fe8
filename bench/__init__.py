"""How fast the relay is, beside what a team would write first. Ratios within one run count; single figures do not."""
