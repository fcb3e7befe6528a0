"""Who may ask, and how often: credentials, signatures, policies, quotas."""
