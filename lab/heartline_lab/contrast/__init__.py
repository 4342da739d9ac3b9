"""The contrast: the same workload over short connections and over long ones, measured side by side."""
