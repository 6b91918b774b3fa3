"""What is wrong with a timeline, in figures: against a known motion, known hands, or real skin."""
