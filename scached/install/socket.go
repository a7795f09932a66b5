package install

import "path/filepath"

// Socket is where the connection cache of a Postfix instance is reached, with the
// configuration directory of [Options].
func Socket(configDir string) (path string, err error) {
	program, err := findPostconf()
	if err != nil {
		return "", err
	}
	p := postconf{program: program, config: configDir}
	queue, err := p.value("queue_directory")
	if err != nil {
		return "", err
	}
	service, err := p.value("connection_cache_service_name")
	if err != nil || service == "" {
		service = referenceName
	}
	return filepath.Join(queue, "private", service), nil
}
