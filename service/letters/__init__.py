"""Dead letters as people handle them: read, chosen, shown and sent again. Owns neither Kafka's protocol nor what is
printed."""
