# placeholder for cmake --install; see tools and package files
