"""InvokeModelWithBidirectionalStream: both sides speak at once, in the events of Amazon Nova Sonic."""
