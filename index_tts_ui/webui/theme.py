"""The page's look: paper and ink, one evergreen accent, system fonts (nothing is fetched)."""

from __future__ import annotations

from gradio.themes import Base
from gradio.themes.utils.colors import Color

PINE = Color(
    "#eef7f2", "#d8eee2", "#b3dcc6", "#84c4a5", "#54a783", "#338a67",
    "#237053", "#1b5a44", "#174838", "#133b2f", "#0a221b", name="pine",
)  # fmt: skip
PAPER = Color(
    "#fcfbf8", "#f5f3ee", "#e8e4db", "#d5cfc3", "#978f82", "#787165",
    "#5a554a", "#444037", "#2a2823", "#1e1d19", "#151411", name="paper",
)  # fmt: skip
SANS = (
    "system-ui", "-apple-system", "Segoe UI", "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", "sans-serif",
)  # fmt: skip


class Look(Base):
    """Every pair of text and ground keeps WCAG AA contrast, light and dark."""

    def __init__(self) -> None:
        super().__init__(
            primary_hue=PINE,
            secondary_hue=PINE,
            neutral_hue=PAPER,
            radius_size="lg",
            font=SANS,
            font_mono=("ui-monospace", "Consolas", "monospace"),
        )
        self.name = "paper"
        self._ground()
        self._fields()
        self._buttons()

    def _ground(self) -> None:
        self.set(
            body_background_fill="*neutral_100",
            body_background_fill_dark="*neutral_950",
            body_text_color="*neutral_800",
            body_text_color_dark="*neutral_200",
            body_text_color_subdued="*neutral_600",
            body_text_color_subdued_dark="*neutral_400",
            background_fill_primary="*neutral_50",
            background_fill_primary_dark="*neutral_900",
            block_background_fill="transparent",
            block_background_fill_dark="transparent",
            block_border_width="0px",
            block_shadow="none",
            block_padding="0",
            block_title_text_weight="600",
            block_title_text_color="*neutral_700",
            block_title_text_color_dark="*neutral_300",
            block_info_text_color="*neutral_600",
            block_info_text_color_dark="*neutral_400",
            border_color_primary="*neutral_200",
            border_color_primary_dark="*neutral_800",
        )

    def _fields(self) -> None:
        self.set(
            input_background_fill="*neutral_50",
            input_background_fill_dark="*neutral_950",
            input_border_color="*neutral_400",
            input_border_color_dark="*neutral_500",
            input_border_color_focus="*primary_600",
            input_border_color_focus_dark="*primary_400",
            input_placeholder_color="*neutral_600",
            input_placeholder_color_dark="*neutral_400",
            input_border_width="1px",
            input_shadow="none",
            input_radius="*radius_lg",
            slider_color="*primary_600",
            slider_color_dark="*primary_400",
        )

    def _buttons(self) -> None:
        self.set(
            button_primary_background_fill="*primary_700",
            button_primary_background_fill_hover="*primary_800",
            button_primary_background_fill_dark="*primary_300",
            button_primary_background_fill_hover_dark="*primary_200",
            button_primary_border_color="transparent",
            button_primary_border_color_dark="transparent",
            button_primary_border_color_hover="transparent",
            button_primary_border_color_hover_dark="transparent",
            button_primary_text_color="white",
            button_primary_text_color_dark="*neutral_950",
            button_secondary_background_fill="transparent",
            button_secondary_background_fill_dark="transparent",
            button_secondary_border_color="*neutral_400",
            button_secondary_border_color_dark="*neutral_600",
            button_secondary_text_color="*neutral_800",
            button_secondary_text_color_dark="*neutral_200",
            button_border_width="1px",
            button_large_radius="999px",
            button_large_text_weight="600",
        )
