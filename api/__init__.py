"""What people and scripts see: pages, REST and the socket. Commands reach trades as updates."""
