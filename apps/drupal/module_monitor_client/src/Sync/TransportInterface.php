<?php

declare(strict_types=1);

namespace Drupal\module_monitor_client\Sync;

/**
 * The line to the server.
 */
interface TransportInterface {

  /**
   * Sends once, within seconds, without following redirects.
   *
   * Never throws: what went wrong is an answer with the status 0.
   */
  public function send(Request $request): Answer;

}
