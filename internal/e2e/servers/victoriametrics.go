package servers

// VictoriaMetrics returns the command of a VictoriaMetrics that listens at addr
// and keeps its data in dir. What is written is to be found as soon as its
// /internal/force_flush was asked for, and not cached.
func VictoriaMetrics(addr, dir string) (*Command, error) {
	path, err := Find("victoria-metrics", "victoria-metrics")
	if err != nil {
		return nil, err
	}
	return &Command{
		Name: "VictoriaMetrics", Path: path,
		Args: []string{
			"-httpListenAddr=" + addr, "-storageDataPath=" + dir, "-retentionPeriod=1",
			"-search.latencyOffset=0s", "-search.disableCache", "-memory.allowedBytes=128MB",
		},
		ReadyURL: "http://" + addr + "/health",
	}, nil
}
