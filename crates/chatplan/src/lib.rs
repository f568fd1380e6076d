//! XML to a plan; conditions; the hunt, step by step.
