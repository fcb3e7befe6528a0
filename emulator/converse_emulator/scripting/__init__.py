"""From a reply to a performance: which event comes when, as the model's family would say it."""
