package io.vmm4j.api;

/** The backend asked for can't run here; the message says why and what would mend it. */
public final class BackendUnavailableException extends VmException {
  private static final long serialVersionUID = 1L;

  /** Names the backend and the reason. */
  public BackendUnavailableException(String backend, String reason) {
    super("backend '" + backend + "' is not available: " + reason);
  }
}
