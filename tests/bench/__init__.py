"""Speed, as ratios against the bare libraries doing the same work in one run; no timed tests."""
