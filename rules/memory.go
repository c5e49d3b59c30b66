package rules

type ruleMemory struct{}
