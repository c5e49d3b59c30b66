package servers

// Alertmanager returns the command of an Alertmanager on its own that listens at
// addr, keeps its data in dir and is configured by the file config.
func Alertmanager(addr, dir, config string) (*Command, error) {
	path, err := Find("prometheus-alertmanager", "prometheus-alertmanager")
	if err != nil {
		return nil, err
	}
	return &Command{
		Name: "Alertmanager", Path: path,
		Args: []string{
			"--web.listen-address=" + addr, "--cluster.listen-address=", "--storage.path=" + dir,
			"--config.file=" + config, "--log.level=warn",
		},
		ReadyURL: "http://" + addr + "/-/ready",
	}, nil
}
