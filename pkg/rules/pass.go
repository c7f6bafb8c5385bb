package rules

type pass struct{}
