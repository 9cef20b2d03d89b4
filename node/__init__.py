"""The shell around the pipeline: sockets, clock, processes, configuration, DICOM."""
