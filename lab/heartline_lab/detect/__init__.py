"""Who notices what, and when: each fault against each detector, on both sides, measured with real connections."""
